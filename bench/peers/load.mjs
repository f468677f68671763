/** One of the peers alone, to measure its start. */
export const loadPeer = (name) => import(name);
