/** vitest's report in JSON, as far as it is read here. */
export interface TestReport {
  readonly testResults: {
    readonly name: string;
    readonly status: string;
    /** `pending`: begun and never ended. */
    readonly assertionResults: { readonly fullName: string; readonly status: string }[];
  }[];
}
