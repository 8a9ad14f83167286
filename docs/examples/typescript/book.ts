// Books a session, pays for it, moves it and cancels it, by the client that `make clients` generates.
//
//     npm ci && npm run generate && npm run generate-staff && npm run build && npm run book -- http://localhost:8000 var/mail
//
// It needs a practice that approves the request meanwhile, on the pages at /admin/. What comes next, and until when,
// is always read from an answer: no rule of the practice stands here.

import createClient from "openapi-fetch";
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { done, once, Refused } from "./asking.js";
import { Mailbox } from "./mailbox.js";
import type { components, paths } from "./mindsettler.js";

type Shapes = components["schemas"];
type Slot = Shapes["SlotAnswer"];

const LOOKS = 60;
const [url = "http://localhost:8000", mails = "var/mail"] = process.argv.slice(2);
const api = createClient<paths>({ baseUrl: url });
const mailbox = new Mailbox(mails, `ravi-${randomUUID().slice(0, 8)}@example.org`);

/** A person would choose; here it is the last one. */
function choose(offered: Slot[], what: string): Slot {
  const slot = offered.at(-1);
  if (!slot) throw new Error(`there are no ${what}`);
  console.log(`${offered.length} ${what}; we take ${slot.start}`);
  return slot;
}

async function sendDraft(slot: Slot, phoneNumber: string): Promise<void> {
  const body: Shapes["DraftRequest"] = {
    email: mailbox.address,
    full_name: "Ravi Menon",
    phone_number: phoneNumber,
    city: "Kochi",
    country: "India",
    age: 44,
    gender: "MALE",
    emergency_contact: "Meera Menon",
    consent_given: true,
    preferred_date: slot.start.slice(0, 10),
    preferred_period: "CUSTOM",
    preferred_time_start: slot.start.slice(11, 16),
    preferred_time_end: slot.end.slice(11, 16),
    mode: slot.modes[0] ?? "ONLINE",
    payment_mode: "ONLINE",
    psychologist: slot.psychologist,
    preferred_slot_start: slot.start,
  };
  const params = { header: once() };
  console.log((await done(() => api.POST("/api/bookings/draft/", { params, body }))).message);
}

async function proveAddress(): Promise<string> {
  const body = { token: await mailbox.token("confirm your email") };
  const params = { header: once() };
  return (await done(() => api.POST("/api/bookings/verify-email/", { params, body }))).booking.acknowledgement_id;
}

function statusOf(id: string): Promise<Shapes["StatusAnswer"]> {
  const params = { query: { acknowledgement_id: id } };
  return done(() => api.GET("/api/bookings/check-status/", { params }));
}

/** The status, in the practice's own words; what may be done now. */
async function tell(id: string): Promise<string[]> {
  const status = await statusOf(id);
  const actions = status.allowed_actions.map((one) => one.action);
  console.log(`${id} is ${status.status}: ${status.next_step} (now possible: ${actions.join(", ") || "nothing"})`);
  return actions;
}

/** Until the practice has decided. Throws when it takes long: ask again tomorrow. */
async function waitForAnswer(id: string): Promise<void> {
  for (let look = 0; look < LOOKS; look++) {
    if ((await statusOf(id)).next_step_code !== "wait_for_answer") return;
    await sleep(2000);
  }
  throw new Error(`${id} has no answer yet`);
}

async function pay(id: string): Promise<void> {
  const [begin, complete] = [{ header: once() }, { header: once() }];
  const asked = { acknowledgement_id: id };
  const begun = await done(() => api.POST("/api/bookings/initiate-payment/", { params: begin, body: asked }));
  if (begun.pay_url) console.log(`Please pay ${begun.amount} rupees at ${begun.pay_url}`);
  const body = { payment_reference: begun.payment_reference };
  const paid = await done(() => api.POST("/api/bookings/complete-payment/", { params: complete, body }));
  console.log(`${begun.amount} rupees: ${paid.message}`);
}

async function move(): Promise<void> {
  const token = await mailbox.token("is confirmed", "/go/reschedule/");
  const listed = await done(() => api.GET("/api/bookings/move/", { params: { query: { token } } }));
  const slot = choose(listed.slots, "other times");
  const body = { token, psychologist: slot.psychologist, start: slot.start };
  const params = { header: once() };
  console.log((await done(() => api.POST("/api/bookings/move/", { params, body }))).message);
}

async function cancel(id: string): Promise<void> {
  const [ask, prove] = [{ header: once() }, { header: once() }];
  const asked = { acknowledgement_id: id };
  console.log((await done(() => api.POST("/api/bookings/request-cancellation/", { params: ask, body: asked }))).message);
  const body = { token: await mailbox.token("One step left", "/go/cancel/") };
  console.log((await done(() => api.POST("/api/bookings/verify-cancellation/", { params: prove, body }))).message);
}

const practice = await done(() => api.GET("/api/info/"));
console.log(`${practice.practice_name}: sessions of ${practice.session_minutes} minutes, from ${practice.price_from} rupees`);
const free = await done(() => api.GET("/api/slots/", { params: { query: { mode: "ONLINE" } } }));
const slot = choose(free.slots, "free times");
try {
  await sendDraft(slot, "98765");
} catch (problem) {
  if (!(problem instanceof Refused)) throw problem;
  console.log(`refused, ${problem.problem.code}: ${JSON.stringify(problem.problem.errors)}`);
  await sendDraft(slot, "9876543210");
}
const id = await proveAddress();
await tell(id);
await waitForAnswer(id);
if ((await tell(id)).includes("pay")) {
  await pay(id);
  await move();
  await tell(id);
  await cancel(id);
  await tell(id);
}
