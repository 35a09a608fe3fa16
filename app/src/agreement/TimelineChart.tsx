/** The timeline as a picture: one point for each thing that happened, and how long it was from one to the next. */
import type { Happening } from "./timeline.ts";

const STEP = 104;
const MARGIN = 52;
const RAIL = 30;

/** Seconds as the shortest words: `42 s`, `12 min`, `3 h`, `2 d`. */
function shortDuration(seconds: number): string {
  for (const [size, unit] of [
    [86_400, "d"],
    [3600, "h"],
    [60, "min"],
  ] as const)
    if (seconds >= size) return `${Math.floor(seconds / size)} ${unit}`;
  return `${Math.floor(seconds)} s`;
}

/** @param now time of the newest block: what lies after it has not happened */
export function TimelineChart({ timeline, now }: { timeline: readonly Happening[]; now: bigint }) {
  const width = 2 * MARGIN + STEP * (timeline.length - 1);
  const x = (at: number): number => MARGIN + STEP * at;
  const ahead = (at: number): boolean => timeline[at]!.time > now;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <section className="timeline" aria-label="Timeline as a picture" tabIndex={0}>
      <svg
        role="img"
        aria-label={timeline.map(({ kind }) => kind).join(", then ")}
        width={width}
        height="64"
        viewBox={`0 0 ${width} 64`}
      >
        {timeline.slice(1).map(({ time }, before) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: what happened stays in its order
          <g key={before}>
            <line
              className={ahead(before + 1) ? "rail ahead" : "rail"}
              x1={x(before)}
              x2={x(before + 1)}
              y1={RAIL}
              y2={RAIL}
            />
            <text className="gap" x={x(before) + STEP / 2} y={RAIL - 10}>
              {shortDuration(Number(time - timeline[before]!.time))}
            </text>
          </g>
        ))}
        {timeline.map(({ kind }, at) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: what happened stays in its order
          <g key={at}>
            <circle className={`point ${kind}${ahead(at) ? " ahead" : ""}`} cx={x(at)} cy={RAIL} r="6" />
            <text className="what" x={x(at)} y={RAIL + 24}>
              {kind}
            </text>
          </g>
        ))}
      </svg>
    </section>
  );
}
