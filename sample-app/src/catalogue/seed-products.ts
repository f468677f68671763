import type { Product } from './product.js';

export const SEED_PRODUCTS: readonly Product[] = [
  { sku: 'TEAPOT', name: 'Teapot, 1.2 l, stoneware', priceCents: 3_900 },
  { sku: 'CUP', name: 'Cup, 0.2 l, stoneware', priceCents: 1_250 },
  { sku: 'DARJEELING', name: 'Darjeeling first flush, 100 g', priceCents: 1_480 },
  { sku: 'SAMOVAR', name: 'Samovar, brass, 1890', priceCents: 249_000 },
];
