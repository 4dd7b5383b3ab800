"use strict";

// What is read here is not tried here: a press must not block or unblock anybody.
SwaggerUIBundle({
  dom_id: "#docs",
  spec: JSON.parse(document.querySelector("#description").textContent),
  supportedSubmitMethods: [],
  defaultModelsExpandDepth: 0,
  docExpansion: "list",
  deepLinking: true,
});
const dark = matchMedia("(prefers-color-scheme: dark)");
const follow = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", follow);
follow();
