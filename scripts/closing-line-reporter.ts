import type { Reporter, TestCase, TestModule } from 'vitest/node';

/** Ends every test run with `N passed, N failed, N skipped`, after the names of what was skipped. */
export default class ClosingLineReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const count = (state: ReturnType<TestCase['result']>['state']): TestCase[] =>
      tests.filter((test) => test.result().state === state);
    const skipped = count('skipped');
    // A file that does not load, or an error outside any test, has no test to fail: it counts too.
    const broken = modules.filter((module) => module.errors().length > 0).length;
    const failed = count('failed').length + broken + unhandledErrors.length;
    for (const test of skipped) console.log(`skipped: ${test.fullName}`);
    console.log(`${count('passed').length} passed, ${failed} failed, ${skipped.length} skipped`);
  }
}
