/** Mistakes in a flake.nix, by the attributes at which they are. */
import { type ErrorDetails, FirnError, type SourcePosition } from "@firn/formats";

/** Names of attributes from the set of a flake.nix on. */
export type AttributePath = readonly string[];

/** A step of the way to a mistake. */
interface Frame {
  readonly message: string;
  readonly at: AttributePath;
}

/** An error `bad-flake` whose place is not known yet as one in the file. */
export class FlakeMistake extends FirnError {
  /** The message before the position. */
  readonly begin: string;
  /** The attribute whose position the message has, after `joint`. */
  readonly at: AttributePath | undefined;
  readonly joint: string;
  /** The end of the message, behind the position. */
  readonly rest: string;
  /** Innermost first. */
  readonly frames: readonly Frame[];

  constructor(
    message: string,
    {
      at,
      joint = " at ",
      rest = "",
      frames = [],
    }: Partial<Pick<FlakeMistake, "at" | "joint" | "rest" | "frames">> = {},
    details: ErrorDetails = {},
  ) {
    super("bad-flake", message + rest, details);
    this.begin = message;
    this.at = at;
    this.joint = joint;
    this.rest = rest;
    this.frames = frames;
  }

  /** Returns the attributes whose positions are needed. */
  places(): AttributePath[] {
    return [...(this.at === undefined ? [] : [this.at]), ...this.frames.map(({ at }) => at)];
  }

  /** Returns the error with positions, which are in the order of `places`; those that are unknown are left out. */
  located(positions: readonly (SourcePosition | undefined)[]): FirnError {
    const own = this.at === undefined ? undefined : positions[0];
    const others = this.at === undefined ? positions : positions.slice(1);
    const message =
      own === undefined ? this.message : `${this.begin}${this.joint}${own.file}:${own.line}:${own.column}${this.rest}`;
    const trace = this.frames.map((frame, index) => {
      const position = others[index];
      return { message: frame.message, ...(position === undefined ? {} : { position }) };
    });
    return new FirnError(this.code, message, { trace: [...this.trace, ...trace], cause: this });
  }
}

/** Runs work whose errors have a step more when they are shown. */
export function withFrame<Result>(message: string, at: AttributePath, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    if (error instanceof FlakeMistake) {
      const { begin, at: place, joint, rest, frames, trace } = error;
      throw new FlakeMistake(begin, { at: place, joint, rest, frames: [...frames, { message, at }] }, { trace });
    }
    if (error instanceof FirnError) {
      const { trace, hint } = error;
      throw new FlakeMistake(
        error.message,
        { frames: [{ message, at }] },
        { trace, cause: error, ...(hint === undefined ? {} : { hint }) },
      );
    }
    throw error;
  }
}
