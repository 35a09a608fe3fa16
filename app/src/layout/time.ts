/** Times as people read them: in their own zone, and how far away. */

const UNITS = [
  [86_400, "day"],
  [3600, "hour"],
  [60, "minute"],
  [1, "second"],
] as const;

/** Latest time a Date holds, in seconds. */
const LATEST = 8.64e12;

/** `2 days 3 hours`, the two largest units. */
export function duration(seconds: number): string {
  let rest = Math.max(0, Math.floor(seconds));
  const parts: string[] = [];
  for (const [size, unit] of UNITS) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) parts.push(`${count} ${unit}${count === 1 ? "" : "s"}`);
  }
  return parts.slice(0, 2).join(" ") || "0 seconds";
}

/** `14:05:09`-like countdown below a day, days above. */
export function countdown(seconds: number): string {
  if (seconds >= 86_400) return duration(seconds);
  const two = (value: number): string => String(value).padStart(2, "0");
  const whole = Math.max(0, Math.floor(seconds));
  return `${two(Math.floor(whole / 3600))}:${two(Math.floor((whole % 3600) / 60))}:${two(whole % 60)}`;
}

/** Date and time in the reader's zone. */
export function localTime(unixSeconds: number | bigint): string {
  const seconds = Number(unixSeconds);
  if (!Number.isFinite(seconds) || Math.abs(seconds) > LATEST) return `${unixSeconds} s after 1970`;
  return new Date(seconds * 1000).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
}
