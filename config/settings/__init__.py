"""Django settings, a module a subject, read top to bottom: docs/configuration.md lists the variables in this order.

Every variable is typed, and a value that does not parse stops the start.
"""

from config.settings.env_file import *  # first, so that the others find its variables
from config import schedule  # its variables stand first in the table
from config.settings.deployment import *
from config.settings.keys import *
from config.settings.applications import *
from config.settings.database import *
from config.settings.celery import *
from config.settings.mail import *
from config.settings.payments import *
from config.settings.rooms import *
from config.settings.calls import *
from config.settings.channels import *
from config.settings.receipts import *
from config.settings.api import *
from config.settings.login import *
from config.settings.https import *
from config.settings.language import *
from config.settings.files import *
from config.settings.desk import *
from config.settings.monitoring import *
from config.settings.logs import *
