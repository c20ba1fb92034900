/** Files that are dragged over the page, wherever. */

/** @param {HTMLElement} hint shown while files are held over the page @param {(data: DataTransfer) => void} onDrop */
export function listenForDrops(hint, onDrop) {
  const hasFiles = (/** @type {DragEvent} */ event) => event.dataTransfer?.types.includes("Files") ?? false;
  document.addEventListener("dragover", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    hint.hidden = false;
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) hint.hidden = true;
  });
  document.addEventListener("drop", (event) => {
    if (!hasFiles(event) || !event.dataTransfer) return;
    event.preventDefault();
    hint.hidden = true;
    onDrop(event.dataTransfer);
  });
}
