/** Runs a Dockerfile's own steps as a script in a folder: no image, no registry. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";

export interface Instruction {
  name: string;
  words: string;
}

/** Instructions in order, lines that go on joined. */
export function parseDockerfile(text: string): Instruction[] {
  const lines = text.replace(/\\\n\s*/g, " ").split("\n");
  return lines
    .filter((line) => line.trim() !== "" && !line.startsWith("#"))
    .map((line) => {
      const [, name, words] = /^([A-Z]+) (.+)$/.exec(line) ?? assert.fail(`not an instruction: ${line}`);
      return { name: name!, words: words! };
    });
}

export interface BuildOptions {
  instructions: readonly Instruction[];
  /** Whence COPY copies. */
  context: string;
  /** What is / in the container. */
  root: string;
  /** Stands in for RUN lines: true when it has done one. */
  run?: (line: string, directory: string) => boolean;
}

/** What runs once it is built. Paths of the container are those below `root`. */
export interface Built {
  directory: string;
  user: string | undefined;
  environment: Record<string, string>;
  stopSignal: string | undefined;
  entrypoint: string[];
  command: string[];
  healthcheck: string[];
  /** A path of the container, or all of them in a text, on this machine. */
  inside(text: string): string;
}

const jsonWords = (words: string): string[] => JSON.parse(words) as string[];

/** @throws AssertionError when a step fails or is not understood */
export function runDockerfile({ instructions, context, root, run = () => false }: BuildOptions): Built {
  const inside = (text: string): string => text.replace(/(?<![\w./])\/(opt|home|var)\//g, `${root}/$1/`);
  const built: Built = {
    ...{ directory: root, user: undefined, environment: {}, stopSignal: undefined },
    ...{ entrypoint: [], command: [], healthcheck: [], inside },
  };
  const steps: Record<string, (words: string) => void> = {
    FROM: (words) => assert.match(words, /^node:2[0-9]-slim$/),
    WORKDIR: (words) => {
      built.directory = inside(words);
      fs.mkdirSync(built.directory, { recursive: true });
    },
    COPY: (words) => {
      const names = words.split(" ");
      const target = path.resolve(built.directory, inside(names.pop()!));
      for (const name of names) {
        // A file goes into a folder, a folder becomes one.
        const isFile = fs.statSync(path.join(context, name)).isFile();
        const to = isFile ? path.join(target, name) : target;
        fs.cpSync(path.join(context, name), to, { recursive: true });
      }
    },
    USER: (words) => {
      built.user = words;
      // The image has a home for it.
      fs.mkdirSync(inside(`/home/${words}/`), { recursive: true });
    },
    RUN: (words) => {
      if (run(words, built.directory)) return;
      const { status, stderr } = spawnSync("sh", ["-ec", inside(words)], {
        cwd: built.directory,
        encoding: "utf8",
      });
      assert.equal(status, 0, `${words}: ${stderr}`);
    },
    ENV: (words) => {
      const [, name, value] = /^(\w+)=(.*)$/.exec(words)!;
      built.environment[name!] = inside(value!);
    },
    VOLUME: (words) => assert.ok(fs.statSync(inside(`${words}/`)).isDirectory()),
    EXPOSE: (words) => assert.match(words, /^[0-9]+$/),
    STOPSIGNAL: (words) => {
      built.stopSignal = words;
    },
    HEALTHCHECK: (words) => {
      built.healthcheck = jsonWords(/ CMD (\[.*\])$/.exec(words)![1]!);
    },
    ENTRYPOINT: (words) => {
      built.entrypoint = jsonWords(words).map(inside);
    },
    CMD: (words) => {
      built.command = jsonWords(words).map(inside);
    },
  };
  for (const { name, words } of instructions) {
    const step = steps[name] ?? assert.fail(`no way to run ${name}`);
    step(words);
  }
  return built;
}
