// What a program needs beyond the generated client: patience, and a key for each thing to be done. To be copied.

import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

const TRIES = 5;

/** Every error: a sentence for a person, a code for a program. */
export interface Problem {
  detail: string;
  code: string;
  errors?: Record<string, string[]>;
}

/** The API said no. */
export class Refused extends Error {
  constructor(readonly problem: Problem) {
    super(problem.detail);
  }
}

type Sent<Answer> = Promise<{ data?: Answer; error?: Problem; response: Response }>;

/** The answer with its headers. What got none, or came too early, is sent again: the key in it makes that harmless. */
export async function answered<Answer>(send: () => Sent<Answer>): Promise<{ data: Answer; headers: Headers }> {
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const { data, error, response } = await send().catch(() => ({ data: undefined, error: undefined, response: null }));
    if (data !== undefined && response) return { data, headers: response.headers };
    const wait = response ? response.headers.get("Retry-After") : String(attempt);
    if (wait === null) throw error ? new Refused(error) : new Error(`status ${response?.status}`);
    await sleep(Number(wait) * 1000);
  }
  throw new Error(`no answer in ${TRIES} tries`);
}

/** The answer alone. */
export async function done<Answer>(send: () => Sent<Answer>): Promise<Answer> {
  return (await answered(send)).data;
}

/** A new key for each thing to be done. */
export function once() {
  return { "Idempotency-Key": randomUUID() };
}
