// Mends of the theme's frame for who does not see it: names for its icons, and lists that are lists.
addEventListener("load", () => {  // after the theme's own script, which calls lists of links menus
    const names = {
        '[data-lte-toggle="sidebar"]': "Show or hide the menu",
        "#jazzy-navbar a[data-bs-toggle='dropdown'] > .fa-user": "Your account",
    };
    for (const [selector, name] of Object.entries(names)) {
        for (const found of document.querySelectorAll(selector)) found.closest("a").setAttribute("aria-label", name);
    }
    for (const list of document.querySelectorAll("#jazzy-navbar ul[role], #jazzy-sidebar ul[role]")) list.removeAttribute("role");
    for (const box of document.querySelectorAll(".app-content .card-body")) {
        if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;  // else no key scrolls it
    }
});
