/** Whose the limits of customers are: those of the whole fleet, where its shops can count together. */
export const limitScope = process.env['REDIS_URL'] === undefined ? 'class' : 'cluster';
