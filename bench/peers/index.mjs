/** The peers of this folder's own `node_modules`: newer than the root's, where the library's own opossum is. */
export * as cockatiel from 'cockatiel';
export * as mollitia from 'mollitia';
export { default as Opossum } from 'opossum';
