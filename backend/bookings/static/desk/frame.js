// Names what the theme's frame leaves without words: its buttons are icons alone.
(() => {
    const names = {
        '[data-lte-toggle="sidebar"]': "Show or hide the menu",
        "#jazzy-navbar a[data-bs-toggle='dropdown'] > .fa-user": "Your account",
    };
    for (const [selector, name] of Object.entries(names)) {
        for (const found of document.querySelectorAll(selector)) found.closest("a").setAttribute("aria-label", name);
    }
})();
