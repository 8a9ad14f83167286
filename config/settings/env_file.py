"""Reads `.env` before any variable is; what the process was started with wins."""

from __future__ import annotations

import os
from pathlib import Path

from dotenv import dotenv_values, load_dotenv

BASE_DIR = Path(__file__).resolve().parents[2]
ENV_FILE = os.environ.get("ENV_FILE") or str(BASE_DIR / ".env")
load_dotenv(ENV_FILE)
NAMES_IN_ENV_FILE = tuple(dotenv_values(ENV_FILE, interpolate=False))  # judged once every variable is known
