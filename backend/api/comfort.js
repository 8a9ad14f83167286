"use strict";
(() => {
  const page = document.documentElement;
  const language = page.lang === "en" ? "en-GB" : page.lang;
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const write = (at, timeZone, parts) => new Intl.DateTimeFormat(language, { timeZone, ...parts }).format(at);
  const clock = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
  const day = { weekday: "short", day: "numeric", month: "short" };
  for (const time of document.querySelectorAll("time[datetime]")) {
    const at = new Date(time.dateTime);
    const both = { ...day, ...clock };
    if (!here || write(at, here, both) === write(at, page.dataset.zone, both)) continue;
    const isSameDay = write(at, here, day) === write(at, page.dataset.zone, day);
    const isShort = time.hasAttribute("data-clock");
    const parts = { ...(isShort && isSameDay ? clock : both), timeZoneName: isShort ? "short" : undefined };
    const yours = document.createElement("span");
    yours.className = "yours";
    yours.textContent = isShort ? ` ${write(at, here, parts)}` : ` (${page.dataset.yours} ${write(at, here, parts)})`;
    time.after(yours);
  }
  for (const field of document.querySelectorAll("input[name=timezone]")) field.value = here || "";
  const exit = document.querySelector("a.exit");
  const leave = () => { document.body.hidden = true; location.replace(exit.href); };
  let pressed = [];
  exit.addEventListener("click", (event) => { event.preventDefault(); leave(); });
  document.addEventListener("keydown", (event) => {
    pressed = event.key === "Shift" ? [...pressed, event.timeStamp].slice(-3) : [];
    if (pressed.length === 3 && pressed[2] - pressed[0] < 3000) leave();
  });
})();
