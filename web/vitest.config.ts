import { defineConfig } from 'vitest/config';
import { SummaryReporter } from '../tests/browser/summary-reporter.ts';

export default defineConfig({
  test: { include: ['tests/**/*.test.ts'], reporters: ['default', new SummaryReporter()] },
});
