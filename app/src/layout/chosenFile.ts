/** A file a person chose or dropped: not read at all when it is too large to be what is asked for. */
import { ensure } from "../../../runner/protocol/errors.ts";

/** Bytes as people read them. */
function sizeText(bytes: number): string {
  const kilobytes = bytes / 1024;
  return kilobytes < 1024 ? `${Math.ceil(kilobytes)} KB` : `${Math.ceil(kilobytes / 1024)} MB`;
}

type ChosenFile = Pick<File, "name" | "size" | "arrayBuffer" | "text">;

function checkSize({ name, size }: ChosenFile, most: number): void {
  ensure(
    size <= most,
    "file/too-large",
    `the file ${name} has ${sizeText(size)}, at most ${sizeText(most)} are read`,
    {
      field: "file",
      hint: "see that it is the right file",
    },
  );
}

/** @param most bytes. @throws DeltapayError `file/too-large` */
export async function readText(file: ChosenFile, most: number): Promise<string> {
  checkSize(file, most);
  return file.text();
}

/** @param most bytes. @throws DeltapayError `file/too-large` */
export async function readBytes(file: ChosenFile, most: number): Promise<Uint8Array> {
  checkSize(file, most);
  return new Uint8Array(await file.arrayBuffer());
}
