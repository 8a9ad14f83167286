// The calendar's page: filters and view stand in the address, sessions come from the feeds, decisions go to the server.
// Times are the practice's wall clock throughout; the server reads and writes them so, whatever zone this browser is in.
(() => {
    const options = JSON.parse(document.getElementById("calendar-options").textContent);
    const filters = document.getElementById("filters");
    const panel = document.getElementById("panel");
    const trouble = document.getElementById("trouble");
    const told = document.getElementById("told");
    const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
    const asked = new URLSearchParams(location.search);
    const isNarrow = matchMedia("(max-width: 767px)").matches;
    if (isNarrow) filters.closest("details").open = false;
    const views = {
        resourceTimeGridDay: "Columns", timeGridDay: "Day", timeGridWeek: "Week", dayGridMonth: "Month", listWeek: "List",
    };

    const chosen = () => new URLSearchParams([...new FormData(filters)].filter(([, value]) => value));
    const resources = () => {
        const ids = chosen().getAll("psychologist");
        return options.psychologists.filter(({id}) => !ids.length || ids.includes(String(id)));
    };
    const whoIs = new Map(options.psychologists.map(({id, title}) => [String(id), title]));
    const say = (place, text) => { place.textContent = text; place.hidden = !text; };
    const isColumns = (view) => view.startsWith("resource");

    // -- loading ------------------------------------------------------------------------------------------------------

    const load = async (url, info, more = {}) => {
        const query = chosen();
        for (const [name, value] of Object.entries({start: info.startStr, end: info.endStr, ...more})) query.set(name, value);
        const answer = await fetch(`${url}?${query}`, {redirect: "error"});
        if (!answer.ok) throw new Error(answer.status);
        say(trouble, "");
        return answer.json();
    };
    const orSay = (loading) => loading.catch(() => {
        say(trouble, "The calendar could not be loaded. What you see may be old; reload the page.");
        return [];
    });
    const source = (load) => ({events: (info) => orSay(load(info))});
    // a row of the feed as the calendar takes it
    const session = ([id, name, who, state, mode, psychologist, start, end, seen, isAskedToCancel, outcome, outcomes, owedPaise]) => ({
        id, start, end,
        title: who || name,
        resourceIds: psychologist ? [psychologist] : [],
        classNames: [`desk-s-${state.toLowerCase()}`],
        startEditable: options.movable.includes(state),
        extendedProps: {
            name, seen, isAskedToCancel, outcomes, owedPaise, mode: options.modes[mode],
            sign: state === "COMPLETED" ? options.outcomes[outcome] : options.signs[state],
        },
    });

    // of a month with thousands of sessions, what a day has
    const daySum = ([day, sessions]) => ({
        id: `day-${day}`, start: `${day}T00:00:00`, end: `${day}T23:59:00`,
        title: `${sessions.toLocaleString("en-IN")} sessions`,
        classNames: ["desk-s-sum"],
        startEditable: false,
        extendedProps: {day},
    });

    // The day reaches from whole hour to whole hour, over the practice's hours and all sessions in view
    const fitted = (rows) => {
        let [first, last] = options.hours;
        for (const [, , , , , , start, end] of rows) {
            const until = end.slice(0, 10) > start.slice(0, 10) ? 24 : Number(end.slice(11, 13)) + (end.slice(14, 16) > "00");
            if (start.slice(11, 13) < first.slice(0, 2)) first = `${start.slice(11, 13)}:00`;
            if (until > Number(last.slice(0, 2))) last = `${String(until).padStart(2, "0")}:00`;
        }
        queueMicrotask(() => {
            for (const [name, value] of [["slotMinTime", first], ["slotMaxTime", last]]) {
                if (limits[name] !== value) { limits[name] = value; calendar?.setOption(name, value); }
            }
        });
        return rows;
    };
    const limits = {slotMinTime: options.hours[0], slotMaxTime: options.hours[1]};

    // -- showing ------------------------------------------------------------------------------------------------------

    const element = (name, text, className = "") => Object.assign(document.createElement(name), {textContent: text, className});
    const content = ({event, timeText}) => {
        if (event.display === "background" || event.extendedProps.day) return event.title;
        const box = element("div", "", "desk-event");
        const {sign, name, mode, isAskedToCancel} = event.extendedProps;
        const [mark, ...words] = sign.split(" ");
        box.append(element("b", `${mark} ${timeText}`), " ", element("span", event.title, "desk-name"), " ");
        const who = isColumns(shown) || !event.resourceIds.length || resources().length === 1 ? "" : whoIs.get(String(event.resourceIds[0])) ?? "";
        if (who) box.append(element("span", who, "desk-whose"), " ");
        box.append(element("span", `${words.join(" ")}, ${mode} ${name}`, "desk-more"));
        if (isAskedToCancel) box.append(" ", element("span", "! asked to cancel", "desk-asked"));
        return {domNodes: [box, ...clicks(event)]};
    };

    // -- what is recorded with one click: the act's own form, filled in; its answer leads back here ----------------------

    const clicks = ({id, extendedProps: {name, seen, outcomes, owedPaise}}) => {
        const found = options.clicks.outcomes.slice(0, outcomes).map(([act, outcome, label]) => [act, label, {outcome}]);
        if (owedPaise && options.clicks.payment) found.push([options.clicks.payment, `Paid ₹${(owedPaise / 100).toLocaleString("en-IN", {minimumFractionDigits: 2})}`, {}]);
        if (!found.length) return [];
        const row = element("span", "", "desk-clicks");
        for (const [act, label, fields] of found) {
            const button = element("button", label);
            button.type = "button";
            button.dataset.sign = {Arrived: "✓", "No show": "✗"}[label] ?? "₹";  // what a narrow column has room for
            button.title = label;
            button.setAttribute("aria-label", `${label}, ${name}`);
            for (const kind of ["pointerdown", "keydown"]) button.addEventListener(kind, (event) => event.stopPropagation());
            button.addEventListener("click", (event) => { event.stopPropagation(); send(id, act, {...fields, seen}); });
            row.append(button);
        }
        return [row];
    };
    const send = (id, act, fields) => {
        const form = Object.assign(document.createElement("form"), {method: "post", action: `${options.booking}${id}/${act}/`});
        const typed = {...fields, csrfmiddlewaretoken: token, back: location.href};
        for (const [name, value] of Object.entries(typed)) form.append(Object.assign(document.createElement("input"), {type: "hidden", name, value}));
        document.body.append(form);
        form.submit();
    };

    const remember = ({view}) => {
        const query = chosen();
        query.set("view", view.type);
        query.set("date", calendar ? iso(calendar.getOption("date")).slice(0, 10) : options.today);
        history.replaceState(null, "", `?${query}`);
        const on = new URLSearchParams({date: query.get("date")});
        if (query.getAll("psychologist").length === 1) on.set("psychologist", query.get("psychologist"));
        const print = document.getElementById("print");
        print.href = `${print.pathname}?${on}`;
    };
    const iso = (date) => {
        const two = (number) => String(number).padStart(2, "0");
        return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}T${two(date.getHours())}:${two(date.getMinutes())}`;
    };

    // -- the panel beside it ------------------------------------------------------------------------------------------

    let undo = null;  // what puts a dragged session back where it was
    const open = (html) => {  // the server's own page, every text in it escaped there
        panel.innerHTML = html;
        if (!panel.open) panel.showModal();
    };
    const close = () => panel.close();
    panel.addEventListener("close", () => { undo?.(); undo = null; });
    panel.addEventListener("click", (event) => {
        if (event.target === panel || event.target.closest("[data-close]")) close();
    });
    const ask = async (url, settings = {}) => {
        try {
            const answer = await fetch(url, {redirect: "error", ...settings});
            const isJson = answer.headers.get("content-type").startsWith("application/json");
            return isJson ? answer.json() : {html: await answer.text(), isPart: [200, 400, 409].includes(answer.status)};
        } catch {
            return {html: "", isPart: false};
        }
    };
    const failed = () => { close(); say(trouble, "The server could not be asked. Nothing was changed."); };

    const turnTo = (day) => {
        calendar.setOption("date", day);
        calendar.setOption("view", "resourceTimeGridDay");
    };
    const details = async ({event}) => {
        if (event.display === "background") return;
        if (event.extendedProps.day) return turnTo(event.extendedProps.day);
        const {html, isPart} = await ask(`${options.booking}${event.id}/panel/`);
        if (isPart) open(html); else failed();
    };
    const drop = async ({event, newResource, revert}) => {
        undo = revert;
        const [day, time] = iso(event.start).split("T");
        const query = new URLSearchParams({
            slot_start_0: day, slot_start_1: time, seen: event.extendedProps.seen, psychologist: newResource?.id ?? "",
        });
        const {html, isPart} = await ask(`${options.booking}${event.id}/drag/?${query}`);
        if (isPart) open(html); else { undo?.(); undo = null; failed(); }
    };
    panel.addEventListener("submit", async (event) => {
        const form = event.target;
        if (!form.matches("[data-move]")) return;
        event.preventDefault();
        form.querySelector("[type=submit]").disabled = true;
        const answer = await ask(form.action, {method: "POST", body: new FormData(form), headers: {"X-CSRFToken": token}});
        if (answer.told) {
            undo = null;
            close();
            say(told, answer.told);
            calendar.refetchEvents();
        } else if (answer.isPart) open(answer.html);
        else failed();
    });

    // -- making a booking by dragging a span ----------------------------------------------------------------------------

    const create = ({start, end, allDay, resource}) => {
        const [day, from] = iso(start).split("T");
        const query = new URLSearchParams({preferred_date: day});
        if (!allDay) {
            query.set("preferred_period", "CUSTOM");
            query.set("preferred_time_start", from);
            query.set("preferred_time_end", iso(end).split("T")[1]);
        }
        const whose = resource ?? (resources().length === 1 ? resources()[0] : null);
        if (whose) query.set("psychologist", whose.id);
        location.href = `${options.create}?${query}`;
    };

    // -- marking time busy: a click on an empty place, or the button; what is marked there is freed in the same box --------

    const markBusy = async (query) => {
        if (!query.has("psychologist") && resources().length === 1) query.set("psychologist", resources()[0].id);
        const {html, isPart} = await ask(`${options.busy}?${query}`);
        if (isPart) open(html); else failed();
    };
    const clicked = ({date, allDay, resource}) => {
        if (!options.busy || allDay) return;
        const until = new Date(date.getTime() + 3600e3);
        markBusy(new URLSearchParams({start: iso(date), end: iso(until), ...(resource ? {psychologist: resource.id} : {})}));
    };
    document.getElementById("busy")?.addEventListener("click", () => markBusy(new URLSearchParams()));

    // -- for who does not see it ----------------------------------------------------------------------------------------

    // The library calls its grid a table, whose rows and cells it then does not have: the sessions are buttons in a region
    const grid = document.getElementById("calendar");
    const attributes = ["aria-colindex", "aria-colcount", "aria-colspan", "aria-rowindex", "aria-rowcount", "aria-rowspan"];
    const roles = ["table", "rowgroup", "row", "cell", "columnheader", "rowheader", "list", "listitem"];
    const wrong = [...roles.map((role) => `[role=${role}]`), ...attributes.map((name) => `[${name}]`)].join();
    const mend = () => {
        for (const button of grid.querySelectorAll(".ec-event[role=button]:has(button)")) button.setAttribute("role", "group");
        for (const part of grid.querySelectorAll(wrong)) {
            if (roles.includes(part.getAttribute("role"))) part.removeAttribute("role");
            for (const name of attributes) part.removeAttribute(name);
        }
    };
    new MutationObserver(mend).observe(grid, {subtree: true, childList: true, attributeFilter: ["role", ...attributes]});

    // A week is wider than a phone: it opens at today
    const toToday = () => {
        const box = grid.querySelector(".ec-main"), today = grid.querySelector(".ec-day.ec-today");
        const hours = grid.querySelector(".ec-sidebar");
        if (box && today && hours) box.scrollLeft += today.getBoundingClientRect().left - hours.getBoundingClientRect().right;
    };

    // -- all together -------------------------------------------------------------------------------------------------

    const view = views[asked.get("view")] ? asked.get("view") : isNarrow ? "listWeek" : "resourceTimeGridDay";
    const date = /^\d{4}-\d{2}-\d{2}$/.test(asked.get("date")) ? asked.get("date") : options.today;
    let calendar = null;
    let shown = view;
    calendar = EventCalendar.create(grid, {
        view, date,
        timeZone: options.zone,
        locale: "en-GB",
        firstDay: 1,
        headerToolbar: {start: "today prev,next", center: "title", end: Object.keys(views).join(",")},
        buttonText: (text) => ({...text, today: "Today", ...views}),
        allDaySlot: false,
        ...limits,  // the whole day is on the page: nothing scrolls inside a box
        slotHeight: 32,  // an hour then has room for the lines of a session and its buttons
        nowIndicator: true,
        dayMaxEvents: true,
        columnWidth: isNarrow ? "9rem" : undefined,
        views: {dayGridMonth: {height: "58rem", displayEventEnd: false}, timeGridDay: {columnWidth: undefined}},
        eventDurationEditable: false,
        eventStartEditable: options.movable.length > 0,
        selectable: Boolean(options.create),
        selectMinDistance: 5,
        selectBackgroundColor: "#bfe0ea",
        resources: resources(),
        eventSources: [
            source(async (info) => {
                const found = await load(options.sessions, info);
                return found.days ? found.days.map(daySum) : fitted(found).map(session);
            }),
            source((info) => load(options.shades, info, isColumns(shown) ? {columns: 1} : {})),
        ],
        eventContent: content,
        eventClick: details,
        eventDrop: drop,
        select: create,
        dateClick: clicked,
        datesSet: (info) => {
            const changed = isColumns(shown) !== isColumns(info.view.type);
            shown = info.view.type;
            remember(info);
            requestAnimationFrame(toToday);
            if (changed) calendar?.refetchEvents();
        },
    });
    filters.addEventListener("change", () => {
        calendar.setOption("resources", resources());
        calendar.refetchEvents();
        remember({view: calendar.getView()});
    });
    filters.addEventListener("submit", (event) => event.preventDefault());
})();
