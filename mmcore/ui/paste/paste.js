// A photo from the clipboard, wherever on the page it is pasted (but in a text field).

const listeners = new WeakMap();

export default function ({ parentElement, setTriggerValue }) {
  document.removeEventListener("paste", listeners.get(parentElement));
  const onPaste = (event) => {
    const item = [...event.clipboardData.items].find((i) => i.type.startsWith("image/"));
    if (!item) return;
    event.preventDefault();
    const reader = new FileReader();
    reader.onload = () => setTriggerValue("pasted", reader.result);
    reader.readAsDataURL(item.getAsFile());
  };
  listeners.set(parentElement, onPaste);
  document.addEventListener("paste", onPaste);
  return () => document.removeEventListener("paste", listeners.get(parentElement));
}
