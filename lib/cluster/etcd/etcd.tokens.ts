/** What the parts of the etcd module work with; a symbol, so that a mocker makes nothing of it. */
export const ETCD_SURROUNDINGS = Symbol.for('nestjs-bulwark:etcd');

/** Where methods that only a leader runs meet the elections. */
export const ELECTION_BOARD = Symbol.for('nestjs-bulwark:elections');

/** Where an instance takes it; a property that the decorator registers for injection. */
export const ELECTION_PROPERTY = Symbol.for('nestjs-bulwark:inject elections');
