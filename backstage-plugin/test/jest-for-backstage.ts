import { vi } from 'vitest';

// The test utilities of Backstage make their mocks with Jest.
Object.assign(globalThis, { jest: vi });
