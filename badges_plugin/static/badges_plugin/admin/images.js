// Shows what is being chosen as the image of a badge template before it is saved. The page works without it.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  for (const preview of document.querySelectorAll("img.badges-live")) {
    const form = preview.closest(".inline-related");
    if (form !== null && form.querySelector("input[type=file]") !== null) {
      follow(preview, form);
    }
  }
});

function follow(preview, form) {
  const stored = preview.src;
  const field = (name) => form.querySelector(`[name$="-${name}"]`);
  const chosen = (name) => form.querySelector(`[name$="-${name}"]:checked`)?.value ?? "";
  const choose = (look) => {
    const button = form.querySelector(`[name$="-look"][value="${look}"]`);
    if (button !== null) {
      button.checked = true;
    }
  };
  let wait;
  let shown = "";

  const design = (values) => `${preview.dataset.design}?${new URLSearchParams(values)}`;
  const show = () => {
    const file = field("upload").files[0];
    const look = chosen("look");
    URL.revokeObjectURL(shown);
    shown = "";
    if (look === "automatic") {
      const { shape, color, text } = preview.dataset;
      preview.src = design({ shape, color, text });
    } else if (look === "design") {
      preview.src = design({ shape: chosen("shape"), color: chosen("color"), text: field("text").value });
    } else {
      shown = file === undefined ? "" : URL.createObjectURL(file);
      preview.src = shown || stored;
    }
  };

  form.addEventListener("input", (event) => {
    const name = event.target.name ?? "";
    if (/-(shape|color|text)$/.test(name) && chosen("look") === "automatic") {
      choose("design");
    } else if (name.endsWith("-upload") && event.target.files.length > 0) {
      choose("upload");
    }
    clearTimeout(wait);
    wait = setTimeout(show, 150);
  });
}
