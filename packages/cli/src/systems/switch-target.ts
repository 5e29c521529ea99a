/** The target of a machine's switch. */

/** An action with a built system. */
export type SwitchAction = "switch" | "boot" | "test" | "dry-activate";

/** A generation to go back to. */
export interface Back {
  readonly number: number;
  /** The generation's own link. */
  readonly link: string;
  /** The profile, if it leads to the generation at the time of activation. */
  readonly via?: string;
}

/** The system to switch to. */
export interface SwitchTarget {
  readonly action: SwitchAction;
  /** Store path of the system. */
  readonly path: string;
  /** The generation to go back to; when absent, the system becomes a new generation. */
  readonly back?: Back;
}
