import { Injectable } from '@nestjs/common';
import { DataService } from 'nestjs-bulwark';

/** Keeps entries in memory and knows whether it was closed. */
@Injectable()
export class MemoryData extends DataService {
  readonly entriesByKey = new Map<string, unknown>();
  closed = 0;

  override async get<T>(key: string): Promise<T | undefined> {
    return this.entriesByKey.get(key) as T | undefined;
  }
  override async put<T>(key: string, value: T): Promise<void> {
    this.entriesByKey.set(key, value);
  }
  override async delete(key: string): Promise<boolean> {
    return this.entriesByKey.delete(key);
  }
  override async *entries<T>(): AsyncIterable<[string, T]> {
    yield* [...this.entriesByKey] as [string, T][];
  }
  override async entry<T>(key: string): Promise<{ value: T; version: string } | undefined> {
    const value = await this.get<T>(key);
    return value === undefined ? undefined : { value, version: '1' };
  }
  override async ping(): Promise<void> {}
  override async close(): Promise<void> {
    this.closed++;
  }
}
