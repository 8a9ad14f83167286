// Mends of the theme's frame for who does not see it: names for its icons, and lists that are lists.
addEventListener("load", () => {  // after the theme's own script, which calls lists of links menus
    const names = {
        '[data-lte-toggle="sidebar"]': "Show or hide the menu",
        "#jazzy-navbar a[data-bs-toggle='dropdown'] > .fa-user": "Your account",
    };
    for (const [selector, name] of Object.entries(names)) {
        for (const found of document.querySelectorAll(selector)) found.closest("a").setAttribute("aria-label", name);
    }
    for (const entry of document.querySelectorAll("#jazzy-navigation .nav-item:first-child p")) {
        if (entry.textContent === "Dashboard") entry.textContent = "Today";  // as its page is called
    }
    for (const list of document.querySelectorAll("#jazzy-navbar ul[role], #jazzy-sidebar ul[role]")) list.removeAttribute("role");
    for (const box of document.querySelectorAll(".app-content .card-body")) {
        if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;  // else no key scrolls it
    }

    // on a phone: each value of a list under its column's name, and the filters folded away
    for (const table of document.querySelectorAll("#result_list, .desk-rows")) {
        const titles = [...table.querySelectorAll("thead th")].map((head) => head.textContent.trim());
        for (const cell of table.querySelectorAll("tbody :is(th, td)")) {
            const isEmpty = ["", "-"].includes(cell.textContent.trim()) && !cell.querySelector("input, img");
            if (isEmpty) cell.classList.add("desk-empty");
            else if (cell.cellIndex && cell.tagName === "TD" && titles[cell.cellIndex]) cell.dataset.label = titles[cell.cellIndex];
        }
    }
    const search = document.getElementById("changelist-search");
    const choices = search ? [...search.querySelectorAll(":scope > select, :scope > .select2, :scope > .form-group")] : [];
    if (choices.length && matchMedia("(max-width: 767px)").matches) {
        const fold = document.createElement("details");
        const chosen = [...search.querySelectorAll("select")].filter((field) => new URLSearchParams(location.search).has(field.name)).length;
        fold.className = "desk-fold";
        fold.append(Object.assign(document.createElement("summary"), {textContent: chosen ? `Filters (${chosen} chosen)` : "Filters"}));
        fold.append(document.createElement("div"));
        fold.lastChild.append(...choices);
        search.append(fold);
    }
});
