import { Injectable, NotFoundException, type OnModuleInit } from '@nestjs/common';
import { DataConflictException, DataService, Signal, Timeout } from 'nestjs-bulwark';
import type { Product } from './product.js';
import { SEED_PRODUCTS } from './seed-products.js';

const PREFIX = 'products/';

/** The products, each under a key of its own. No look-up takes longer than the class allows. */
@Injectable()
@Timeout(1_000)
export class CatalogueService implements OnModuleInit {
  constructor(private readonly data: DataService) {}

  async onModuleInit(): Promise<void> {
    for (const product of SEED_PRODUCTS) await this.addIfMissing(product);
  }

  async list(@Signal() signal?: AbortSignal): Promise<Product[]> {
    const products: Product[] = [];
    for await (const [, product] of this.data.entries<Product>({ prefix: PREFIX, signal })) products.push(product);
    return products;
  }

  async find(sku: string, @Signal() signal?: AbortSignal): Promise<Product | undefined> {
    return this.data.get<Product>(PREFIX + sku, { signal });
  }

  /** @throws NotFoundException */
  async get(sku: string, @Signal() signal?: AbortSignal): Promise<Product> {
    const product = await this.find(sku, signal);
    if (product === undefined) throw new NotFoundException(`There is no product ${sku}`);
    return product;
  }

  /**
   * A start is not in a hurry, and a product that was changed since the last one stays as it is. It looks first, so that
   * the shop can start while its database is away and only a copy of it can be read.
   */
  @Timeout(false)
  async addIfMissing(product: Product): Promise<void> {
    if ((await this.data.get(PREFIX + product.sku)) !== undefined) return;
    try {
      await this.data.put(PREFIX + product.sku, product, { ifVersion: null });
    } catch (error) {
      if (!(error instanceof DataConflictException)) throw error;
    }
  }
}
