// One line a test, the reason for each failure, and the counts alone on the last line.
import { appendFileSync } from 'node:fs';
import type { Reporter, TestCase, TestResult } from '@playwright/test/reporter';

export default class Lines implements Reporter {
  private passed = 0;
  private failed = 0;

  onTestEnd(test: TestCase, result: TestResult): void {
    if (result.status === 'skipped') return;
    const ok = result.status === test.expectedStatus;
    if (ok) this.passed++;
    else this.failed++;
    console.log(`${ok ? 'ok  ' : 'FAIL'} ${test.titlePath().slice(2).join(' > ')} (${result.duration} ms)`);
    for (const error of ok ? [] : result.errors) console.log(error.stack ?? error.message);
  }

  onStdOut(chunk: string | Buffer): void {
    process.stdout.write(chunk);
  }

  onError(error: { message?: string }): void {
    console.log(`FAIL ${error.message}`);
    this.failed++;
  }

  onEnd(): void {
    // test/browser/run adds up the counts of its parts.
    if (process.env.WEFT_COUNTS) appendFileSync(process.env.WEFT_COUNTS, `${this.passed} ${this.failed}\n`);
    else console.log(`${this.passed} passed, ${this.failed} failed`);
  }

  printsToStdio(): boolean {
    return true;
  }
}
