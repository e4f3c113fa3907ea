import { defineConfig } from 'vitest/config';

// A machine that builds the engine at the same time is slow.
export default defineConfig({ test: { include: ['tests/**/*.test.ts'], testTimeout: 30_000 } });
