/** Moments and deadlines. */
import { useNow } from "../chain/useNow.ts";
import { Badge } from "./Panel.tsx";
import { countdown, localTime } from "./time.ts";

function isoTime(seconds: number): string | undefined {
  return Math.abs(seconds) <= 8.64e12 ? new Date(seconds * 1000).toISOString() : undefined;
}

/** A moment, in the reader's zone. */
export function Time({ at }: { at: number | bigint }) {
  return <time dateTime={isoTime(Number(at))}>{localTime(at)}</time>;
}

/** A deadline and how long it is until then, by the chain's clock. */
export function Deadline({ at }: { at: number | bigint }) {
  const now = useNow();
  const left = now === undefined ? undefined : Number(at) - now;
  return (
    <>
      <Time at={at} />{" "}
      {left !== undefined && (
        <Badge kind={left < 0 ? "bad" : left < 900 ? "warn" : "plain"}>
          {left < 0 ? "passed" : `in ${countdown(left)}`}
        </Badge>
      )}
    </>
  );
}
