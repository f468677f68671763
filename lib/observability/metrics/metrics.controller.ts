import { Controller, Get, Inject, Req, Res, UseGuards, VERSION_NEUTRAL, type Type } from '@nestjs/common';
import { Resilient } from '../../decorators/resilient.decorator.js';
import type { MetricsModuleExtras } from './metrics.options.js';
import { Metrics } from './metrics.js';
import { answerRaw } from './raw-answer.js';

/** By which Nest finds the path of a handler. */
const PATH_METADATA = 'path';

/** A route that shows a registry; each module has a class of its own, since paths and guards belong to classes. */
export function metricsController(path: string, guards: NonNullable<MetricsModuleExtras['guards']>): Type {
  // A scrape is no call of the app: it must neither be refused nor counted.
  @Resilient(false)
  @Controller({ path, version: VERSION_NEUTRAL })
  class MetricsController {
    constructor(@Inject(Metrics) private readonly metrics: Metrics) {}

    @Get()
    async scrape(
      @Req() request: Parameters<typeof answerRaw>[0],
      @Res() response: Parameters<typeof answerRaw>[1],
    ): Promise<void> {
      await answerRaw(request, response, this.metrics.contentType, await this.metrics.text());
    }
  }
  UseGuards(...guards)(MetricsController);
  return MetricsController;
}

/** Takes the route away again, as long as Nest has not mapped it: only options that come late say that there is none. */
export function withoutRoute({ prototype }: Type): void {
  const { scrape } = prototype as { scrape: object };
  Reflect.deleteMetadata(PATH_METADATA, scrape);
}
