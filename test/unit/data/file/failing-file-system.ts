import type { FileHandle } from 'node:fs/promises';
import type { FileSystem } from '../../../../lib/data/file/file-system.js';
import { nodeFileSystem } from '../../../../lib/data/file/file-system.js';

/** Called before each file call with its name and the file; what it throws is what the call fails with. */
export type Fault = (call: string, file: string) => void;

/** Node's file system, but with faults. A failing `write` writes the first half of its bytes before. */
export function failingFileSystem(fault: Fault): FileSystem {
  const fileOf = ([file]: unknown[]): string => String(file);
  const wrapped: Record<string, unknown> = {};
  for (const [name, call] of Object.entries(nodeFileSystem)) {
    if (typeof call !== 'function') continue;
    wrapped[name] = async (...args: unknown[]) => {
      fault(name, fileOf(args));
      const result: unknown = await Reflect.apply(call as () => unknown, undefined, args);
      return name === 'open' ? failingHandle(result as FileHandle, fileOf(args), fault) : result;
    };
  }
  return wrapped as unknown as FileSystem;
}

function failingHandle(handle: FileHandle, file: string, fault: Fault): FileHandle {
  return new Proxy(handle, {
    get(target, name: Exclude<keyof FileHandle, symbol>) {
      const member: unknown = target[name];
      if (typeof member !== 'function') return member;
      return async (...args: unknown[]) => {
        try {
          fault(name, file);
        } catch (error) {
          const [bytes, offset, length, position] = args as [Buffer, number, number, number];
          if (name === 'write') await target.write(bytes, offset, Math.floor(length / 2), position);
          throw error;
        }
        return Reflect.apply(member as () => unknown, target, args) as unknown;
      };
    },
  });
}
