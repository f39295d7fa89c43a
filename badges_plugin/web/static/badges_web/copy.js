// Shows the buttons that copy a link, where the browser can. Without this file the link can be selected by hand.
for (const button of document.querySelectorAll("button[data-copies]")) {
  const source = document.getElementById(button.dataset.copies);
  if (source && navigator.clipboard) {
    button.hidden = false;
    button.addEventListener("click", () => {
      navigator.clipboard.writeText(source.value).then(() => {
        button.textContent = button.dataset.done;
      });
    });
  }
}
