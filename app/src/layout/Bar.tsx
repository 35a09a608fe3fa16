/** How far, and how much of a limit: the browser's own elements, which need no styles in the page. */

/** @param label what is under way, for those who do not see it */
export function Progress({ done, total, label }: { done: number; total: number; label: string }) {
  return <progress value={done} max={total} aria-label={label} />;
}

/** A figure against its limit: fine below half, dangerous from the limit on. @param value as a share of the limit */
export function Gauge({ value, label }: { value: number; label: string }) {
  return (
    <meter min={0} max={1} low={0.5} high={0.9} optimum={0} value={Math.min(1, value)} aria-label={label} />
  );
}
