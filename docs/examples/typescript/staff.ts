// A program of the practice: keeps a copy of the bookings, records a request and approves it as it was read.
//
//     npm ci && npm run generate && npm run generate-staff && npm run build && MINDSETTLER_TOKEN=… npm run staff -- http://localhost:8000
//
// Its token is one of `manage.py staff_token` with the scope bookings:write. Which states there are, which slot fits and
// what somebody may do is always read from an answer: no rule of the practice stands here.

import createClient from "openapi-fetch";
import { answered, done, once, Refused } from "./asking.js";
import type { components, paths } from "./mindsettler-staff.js";

type Shapes = components["schemas"];

const FIELDS = "acknowledgement_id,status,slot_start";
const AT_ONCE = 100;
const IN_A_DAY = 24 * 60 * 60 * 1000; // milliseconds
const [url = "http://localhost:8000"] = process.argv.slice(2);
const headers = { Authorization: `Token ${process.env.MINDSETTLER_TOKEN ?? ""}` };
const api = createClient<paths>({ baseUrl: url, headers });

/** All that happened behind `after`: which bookings, and where to go on tomorrow. */
async function follow(after: number): Promise<{ changed: Set<string>; next: number }> {
  const changed = new Set<string>();
  for (;;) {
    const page = await done(() => api.GET("/api/staff/events/", { params: { query: { after } } }));
    for (const event of page.events) changed.add(event.acknowledgement_id);
    if (!page.events.length) return { changed, next: page.next };
    after = page.next;
  }
}

/** How these bookings stand, with nothing of anybody that is not needed. */
async function read(ids: string[]): Promise<Shapes["SomeBookingAnswer"][]> {
  const found: Shapes["SomeBookingAnswer"][] = [];
  for (let from = 0; from < ids.length; from += AT_ONCE) {
    const query = { acknowledgement_id__in: ids.slice(from, from + AT_ONCE).join(","), fields: FIELDS, limit: AT_ONCE };
    found.push(...(await done(() => api.GET("/api/staff/bookings/", { params: { query } }))).bookings);
  }
  return found;
}

/** Somebody called. */
async function record(): Promise<string> {
  const body: Shapes["CallerRequest"] = {
    full_name: "Kiran Shah",
    phone_number: "9876501234",
    age: 40,
    consent_given: true,
    preferred_date: new Date(Date.now() + IN_A_DAY).toISOString().slice(0, 10),
    preferred_period: "MORNING",
    mode: "ONLINE",
    payment_mode: "OFFLINE",
  };
  const header = once();
  const made = await done(() => api.POST("/api/staff/bookings/", { params: { header }, body }));
  console.log(`${made.acknowledgement_id} is recorded: ${made.status}`);
  return made.acknowledgement_id;
}

/** Approves what was read, and nothing that a colleague has changed since. */
async function approve(id: string, tag: string): Promise<void> {
  const path = { acknowledgement_id: id };
  const header = { ...once(), "If-Match": tag };
  const params = { path, header };
  const body: Shapes["ApprovalRequest"] = { auto: true };
  const booking = await done(() => api.POST("/api/staff/bookings/{acknowledgement_id}/approve/", { params, body }));
  console.log(`${id} is approved: ${booking.status}, ${booking.slot_start}`);
}

async function tagOf(id: string): Promise<string> {
  const params = { path: { acknowledgement_id: id }, query: { fields: "status" } };
  const { headers } = await answered(() => api.GET("/api/staff/bookings/{acknowledgement_id}/", { params }));
  return headers.get("ETag") ?? "*";
}

async function cancel(id: string): Promise<void> {
  const params = { path: { acknowledgement_id: id }, header: once() };
  const body = { note_to_visitor: "This was an example." };
  const booking = await done(() => api.POST("/api/staff/bookings/{acknowledgement_id}/cancel/", { params, body }));
  console.log(`${id} is called off: ${booking.status}`);
}

const { changed, next } = await follow(0);
const states = new Map<string, number>();
for (const one of await read([...changed])) {
  const state = one.status ?? "unknown";
  states.set(state, (states.get(state) ?? 0) + 1);
}
console.log(`a copy of ${changed.size} bookings: ${[...states].map(([state, count]) => `${count} ${state}`).join(", ")}`);
const id = await record();
try {
  await approve(id, '"999"');
} catch (problem) {
  if (!(problem instanceof Refused)) throw problem;
  console.log(`refused, ${problem.problem.code}: ${problem.problem.detail}`);
  await approve(id, await tagOf(id));
}
await cancel(id);
const later = await follow(next);
console.log(`since then: ${[...later.changed].join(", ")}`);
