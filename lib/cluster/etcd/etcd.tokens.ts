/** What the parts of the etcd module work with; a symbol, so that a mocker makes nothing of it. */
export const ETCD_SURROUNDINGS = Symbol.for('nestjs-bulwark:etcd');
