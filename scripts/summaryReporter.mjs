/**
 * Jest reporter that ends the run with one line for machines: `N passed, N failed`.
 *
 * A test file that does not load has no tests to count, so it counts as one failure; a run without tests is one too.
 */
export default class SummaryReporter {
  onRunComplete(_contexts, results) {
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
    const empty = results.numTotalTests + results.numRuntimeErrorTestSuites === 0;
    // Jest's own summary goes to standard error; leave after it, whichever stream the reader looks at.
    process.stderr.write('', () => {
      process.stdout.write(`${String(results.numPassedTests)} passed, ${String(empty ? 1 : failed)} failed\n`);
    });
  }
}
