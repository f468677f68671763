import { basename } from 'node:path';
import type { FileSystem, OpenFile, SyncSite } from '../../../lib/data/file/file-system.js';

const SECTOR_BYTES = 512;

/** A change of a file's content that was not synced: bytes at a place, or a new length. */
type ContentChange = { readonly at: number; readonly bytes: Buffer } | { readonly length: number };

/** A change of the folder that was not synced. */
type NameChange =
  | { readonly type: 'link'; readonly name: string; readonly node: Node }
  | { readonly type: 'rename'; readonly from: string; readonly to: string; readonly node: Node }
  | { readonly type: 'remove'; readonly name: string };

/** A file, whatever its name. */
class Node {
  content = Buffer.alloc(0);
  durable = Buffer.alloc(0);
  pending: ContentChange[] = [];

  write(bytes: Buffer, at: number): void {
    const copy = Buffer.from(bytes);
    this.content = withBytes(this.content, copy, at);
    this.pending.push({ at, bytes: copy });
  }

  truncate(length: number): void {
    this.content = withLength(this.content, length);
    this.pending.push({ length });
  }

  sync(): void {
    this.durable = this.content;
    this.pending = [];
  }

  /** What the disk may hold: what was synced, and of the rest any sectors. */
  afterPowerLoss(random: () => number): Node {
    const keptShare = random() < 0.3 ? (random() < 0.5 ? 0 : 1) : random();
    const ends = this.pending.map((change) => ('length' in change ? change.length : change.at + change.bytes.length));
    const content = Buffer.alloc(Math.max(this.durable.length, ...ends));
    let length = this.durable.copy(content);
    for (const change of this.pending) {
      if ('length' in change) {
        if (random() >= keptShare) continue;
        if (change.length < length) content.fill(0, change.length, length);
        length = change.length;
        continue;
      }
      const { at, bytes } = change;
      for (let from = at; from < at + bytes.length;) {
        const to = Math.min(at + bytes.length, (Math.floor(from / SECTOR_BYTES) + 1) * SECTOR_BYTES);
        if (random() < keptShare) {
          bytes.copy(content, from, from - at, to - at);
          length = Math.max(length, to);
        }
        from = to;
      }
    }
    const node = new Node();
    node.content = node.durable = content.subarray(0, length);
    return node;
  }
}

function withBytes(content: Buffer, bytes: Buffer, at: number): Buffer<ArrayBuffer> {
  const result = Buffer.alloc(Math.max(content.length, at + bytes.length));
  content.copy(result);
  bytes.copy(result, at);
  return result;
}

function withLength(content: Buffer, length: number): Buffer<ArrayBuffer> {
  const result = Buffer.alloc(length);
  content.copy(result);
  return result;
}

/**
 * One folder on a disk that loses what was not synced. At each call a test may look at what would be left if the power
 * failed now.
 */
export class PowerLossFileSystem implements FileSystem {
  #names = new Map<string, Node>();
  #durableNames = new Map<string, Node>();
  #pendingNames: NameChange[] = [];
  #isThere = false;
  #isFolderDurable = false;
  #isDead = false;
  /** Sites at which a sync does nothing. */
  readonly broken = new Set<SyncSite>();
  /** The sites that were met. */
  readonly met = new Set<SyncSite>();
  /** Called at each call, before it does anything. */
  onCall: () => Promise<void> = async () => {};

  /** A file system that goes on from here, while this one does nothing more: its process was killed. */
  takeOver(): PowerLossFileSystem {
    const next = new PowerLossFileSystem();
    next.#names = this.#names;
    next.#durableNames = this.#durableNames;
    next.#pendingNames = this.#pendingNames;
    next.#isThere = this.#isThere;
    next.#isFolderDurable = this.#isFolderDurable;
    for (const site of this.broken) next.broken.add(site);
    this.#isDead = true;
    next.#dropLocks();
    return next;
  }

  /** What is there after the power has failed and come back. */
  afterPowerLoss(random: () => number): PowerLossFileSystem {
    const left = new PowerLossFileSystem();
    const isFolderLeft = this.#isFolderDurable || random() < 0.5;
    if (!this.#isThere || !isFolderLeft) return left;
    const names = new Map(this.#durableNames);
    const keptShare = random();
    for (const change of this.#pendingNames) {
      if (random() >= keptShare) continue;
      if (change.type === 'remove') names.delete(change.name);
      else if (change.type === 'link') names.set(change.name, change.node);
      else {
        names.delete(change.from);
        names.set(change.to, change.node);
      }
    }
    const nodes = new Map<Node, Node>();
    for (const [name, node] of names) {
      const kept = nodes.get(node) ?? node.afterPowerLoss(random);
      nodes.set(node, kept);
      left.#names.set(name, kept);
    }
    left.#durableNames = new Map(left.#names);
    left.#isThere = left.#isFolderDurable = true;
    left.#dropLocks();
    return left;
  }

  async open(file: string, mode: 'read' | 'create'): Promise<OpenFile> {
    await this.#call();
    const name = basename(file);
    let node = this.#names.get(name);
    if (mode === 'create') {
      if (node !== undefined) throw errorOf('EEXIST', file);
      node = new Node();
      this.#names.set(name, node);
      this.#pendingNames.push({ type: 'link', name, node });
    }
    if (node === undefined) throw errorOf('ENOENT', file);
    return this.#openFile(node);
  }

  async createFolder(folder: string): Promise<string | undefined> {
    await this.#call();
    if (this.#isThere) return undefined;
    this.#isThere = true;
    return folder;
  }

  async list(): Promise<string[]> {
    await this.#call();
    return [...this.#names.keys()];
  }

  async realPath(path: string): Promise<string> {
    return path;
  }

  async isFolder(): Promise<boolean> {
    return this.#isThere;
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#call();
    const node = this.#names.get(basename(from));
    if (node === undefined) throw errorOf('ENOENT', from);
    this.#names.delete(basename(from));
    this.#names.set(basename(to), node);
    this.#pendingNames.push({ type: 'rename', from: basename(from), to: basename(to), node });
  }

  async remove(file: string): Promise<void> {
    await this.#call();
    if (!this.#names.delete(basename(file))) throw errorOf('ENOENT', file);
    this.#pendingNames.push({ type: 'remove', name: basename(file) });
  }

  async readText(file: string): Promise<string> {
    const node = this.#names.get(basename(file));
    if (node === undefined) throw errorOf('ENOENT', file);
    return node.content.toString();
  }

  async createText(file: string, text: string): Promise<void> {
    const handle = await this.open(file, 'create');
    handle.writeNow(Buffer.from(text), 0, Buffer.byteLength(text), 0);
  }

  async replaceText(file: string, text: string): Promise<void> {
    await this.#call();
    const node = this.#names.get(basename(file));
    if (node === undefined) throw errorOf('ENOENT', file);
    node.write(Buffer.from(text), 0);
  }

  async networkName(): Promise<undefined> {}

  exists(file: string): boolean {
    return this.#names.has(basename(file));
  }

  isReachable(file: string): boolean {
    return this.exists(file);
  }

  async syncFolder(_: string, site: SyncSite): Promise<void> {
    await this.#call();
    this.met.add(site);
    if (this.broken.has(site)) return;
    if (site === 'parent-folder') {
      this.#isFolderDurable = true;
      return;
    }
    this.#durableNames = new Map(this.#names);
    this.#pendingNames = [];
  }

  async #call(): Promise<void> {
    if (this.#isDead) await new Promise(() => undefined);
    await this.onCall();
    // Its process was killed meanwhile.
    if (this.#isDead) await new Promise(() => undefined);
  }

  #openFile(node: Node): OpenFile {
    const call = (): Promise<void> => this.#call();
    const write = (bytes: Buffer, offset: number, length: number, position: number): number => {
      node.write(bytes.subarray(offset, offset + length), position);
      return length;
    };
    return {
      read: async (bytes, offset, length, position) =>
        node.content.copy(bytes, offset, position, Math.min(node.content.length, position + length)),
      write: async (...args) => {
        await call();
        return write(...args);
      },
      writeNow: (...args) => (this.#isDead ? args[2] : write(...args)),
      sync: async (site) => {
        await call();
        this.met.add(site);
        if (!this.broken.has(site)) node.sync();
      },
      truncate: async (length) => {
        await call();
        node.truncate(length);
      },
      size: async () => node.content.length,
      close: async () => {},
    };
  }

  /** The processes that held them are gone. */
  #dropLocks(): void {
    for (const name of [...this.#names.keys()]) {
      if (!name.startsWith('owner-')) continue;
      this.#names.delete(name);
      this.#durableNames.delete(name);
      this.#pendingNames = this.#pendingNames.filter((change) => change.type === 'rename' || change.name !== name);
    }
  }
}

function errorOf(code: string, file: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: ${file}`), { code });
}
