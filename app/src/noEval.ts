/** First import of the page and of its workers: zod must not try to compile code, which the page's policy forbids. */
import { z } from "zod";

z.config({ jitless: true });
