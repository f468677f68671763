import type { FileSystem, OpenFile } from '../../../../lib/data/file/file-system.js';
import { nodeFileSystem } from '../../../../lib/data/file/node-file-system.js';

/** Called before each file call with its name and the file; what it throws is what the call fails with. */
export type Fault = (call: string, file: string) => void;

type AnyCall = (...args: unknown[]) => unknown;

/** Node's file system, but with faults. A failing write writes the first half of its bytes before. */
export function failingFileSystem(fault: Fault): FileSystem {
  return new Proxy(nodeFileSystem, {
    get(target, name: keyof FileSystem) {
      const call = target[name] as AnyCall;
      if (name === 'exists' || name === 'isReachable') return call;
      return async (...args: unknown[]) => {
        fault(name, String(args[0]));
        const result = await Reflect.apply(call, target, args);
        return name === 'open' ? failingFile(result as OpenFile, String(args[0]), fault) : result;
      };
    },
  });
}

function failingFile(handle: OpenFile, file: string, fault: Fault): OpenFile {
  return new Proxy(handle, {
    get(target, name: keyof OpenFile) {
      const member = target[name] as AnyCall | undefined;
      // It is no promise, and is asked for `then`.
      if (member === undefined) return undefined;
      const call = member.bind(target);
      if (name === 'writeNow') {
        return (...args: Parameters<OpenFile['writeNow']>) => {
          try {
            fault(name, file);
          } catch (error) {
            const [bytes, offset, length, position] = args;
            target.writeNow(bytes, offset, Math.floor(length / 2), position);
            throw error;
          }
          return call(...args);
        };
      }
      return async (...args: unknown[]) => {
        fault(name, file);
        return call(...args);
      };
    },
  });
}
