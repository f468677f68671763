/** The configuration of `nest new`, and one line more. */
module.exports = {
  testEnvironment: 'node',
  testRegex: '\\.spec\\.ts$',
  transform: { '^.+\\.(t|j)s$': 'ts-jest' },
  // Jest does not require() ES modules, as Node does: it has to make CommonJS of the package first.
  transformIgnorePatterns: ['/node_modules/(?!nestjs-bulwark/)'],
};
