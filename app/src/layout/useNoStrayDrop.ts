/** A file dropped beside its place must not take the page away: a browser opens it in the page's stead. */
import { useEffect } from "react";

function refuse(event: DragEvent): void {
  if (event.defaultPrevented || !event.dataTransfer?.types.includes("Files")) return;
  event.preventDefault();
  event.dataTransfer.dropEffect = "none";
}

export function useNoStrayDrop(): void {
  useEffect(() => {
    for (const kind of ["dragover", "drop"] as const) window.addEventListener(kind, refuse);
    return () => {
      for (const kind of ["dragover", "drop"] as const) window.removeEventListener(kind, refuse);
    };
  }, []);
}
