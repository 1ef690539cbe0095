export default {
  testEnvironment: 'node',
  transform: {},
  extensionsToTreatAsEsm: ['.ts'],
  moduleFileExtensions: ['ts', 'js', 'json'],
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  // Fail points take minutes alone, and all of a machine: `npm run fail-points`.
  testPathIgnorePatterns: ['/node_modules/', '<rootDir>/dist/', '<rootDir>/test/fail-points/'],
  modulePathIgnorePatterns: ['<rootDir>/dist/'],
  globalSetup: './test/support/global-setup.ts',
  globalTeardown: './test/support/global-teardown.ts',
  testTimeout: 180_000,
  // Tests wait more than they compute: on two cores three of them together keep both busy.
  maxWorkers: 3,
  // Each of those that run together starts processes of its own.
  maxConcurrency: 4,
}
