/** Operations of a protocol as data. */
import type { WireCodec } from "./codec.ts";

/**
 * Data beside a request or answer that is not kept in memory: `archive` a NAR as it is, which ends by itself; `sized` a NAR of the size
 * that the request tells; `framed` pieces with lengths; `pulled` pieces that the server asks for by `read` messages; `export` archives
 * with facts behind them, in the old form of `nix-store --export`.
 */
export type WireBody = "archive" | "sized" | "framed" | "pulled" | "export";

/** One operation: its number, its fields, and the first version that has it. */
export interface WireOperation<Request, Answer> {
  readonly number: number;
  readonly since: number;
  readonly request: WireCodec<Request>;
  readonly answer: WireCodec<Answer>;
  /** Data after the request, each form with the version from which on it is used, oldest first. */
  readonly body: readonly { readonly since: number; readonly form: WireBody }[];
  /** Data after the answer. */
  readonly answerBody: "archive" | undefined;
}

/** Makes an operation. */
export function operation<Request, Answer>(
  number: number,
  since: number,
  request: WireCodec<Request>,
  answer: WireCodec<Answer>,
  bodies: { readonly body?: WireOperation<Request, Answer>["body"]; readonly answerBody?: "archive" } = {},
): WireOperation<Request, Answer> {
  const { body = [], answerBody } = bodies;
  return { number, since, request, answer, body, answerBody };
}

/** Returns the form of the data after a request in a version, or undefined. */
export function requestBody(
  { body }: Pick<WireOperation<never, never>, "body">,
  version: number,
): WireBody | undefined {
  return body.findLast(({ since }) => version >= since)?.form;
}

/** Returns the name of the operation with this number in a version, or undefined. */
export function operationName<Name extends string>(
  operations: Readonly<Record<Name, Pick<WireOperation<never, never>, "number" | "since">>>,
  number: number,
  version: number,
): Name | undefined {
  for (const name in operations) {
    if (operations[name].number === number && version >= operations[name].since) return name;
  }
  return undefined;
}
