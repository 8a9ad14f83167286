// Passkeys: the browser's answer goes into the form's hidden field, and the form is sent like any other.
for (const button of document.querySelectorAll("[data-passkey]")) {
    const ceremony = button.dataset.passkey;  // "create" or "get", as navigator.credentials calls it
    const parse = window.PublicKeyCredential?.[ceremony === "create" ? "parseCreationOptionsFromJSON" : "parseRequestOptionsFromJSON"];
    if (!parse) continue;  // the browser has none: the code is there
    const options = JSON.parse(document.getElementById("passkey-options").textContent);
    const trouble = button.parentElement.querySelector("[data-passkey-trouble]");
    button.hidden = false;
    button.addEventListener("click", async () => {
        trouble.textContent = "";
        try {
            const publicKey = parse.call(PublicKeyCredential, options);
            const answer = await navigator.credentials[ceremony]({publicKey});
            button.form.elements.passkey.value = JSON.stringify(answer.toJSON());
            button.form.requestSubmit();
        } catch (error) {
            trouble.textContent = error.name === "InvalidStateError" ? "This passkey is registered already." : "No passkey was given. Try again, or type a code.";
        }
    });
}
