import { Module, ValidationPipe } from '@nestjs/common';
import { APP_INTERCEPTOR, APP_PIPE } from '@nestjs/core';
import { ResilienceModule, TimeoutInterceptor } from 'nestjs-bulwark';
import { CatalogueModule } from './catalogue/catalogue.module.js';
import { DemoModule } from './demo/demo.module.js';
import { fleetOf } from './fleet/fleet.js';
import { ShallowInputPipe } from './http/shallow-input.pipe.js';
import { OperationsModule } from './operations/operations.module.js';
import { OrdersModule } from './orders/orders.module.js';
import { openData } from './settings/open-data.js';
import { policies } from './settings/policies.js';
import { readSettings, SETTINGS, type Settings } from './settings/settings.js';
import { SettingsModule } from './settings/settings.module.js';
import { UpstreamControlModule } from './upstream-control/upstream-control.module.js';

@Module({
  imports: [
    SettingsModule,
    ResilienceModule.forRootAsync({
      imports: [SettingsModule],
      inject: [SETTINGS],
      useFactory: ({ shutdownDelayMs: delay, shutdownGraceMs: grace }: Settings) => ({
        policies,
        // A quote says when its rate is an old one.
        callContext: true,
        shutdown: { delay, grace },
      }),
      dataService: { inject: [SETTINGS], useFactory: openData },
      exceptionFilter: true,
    }),
    CatalogueModule,
    OrdersModule,
    UpstreamControlModule,
    OperationsModule,
    DemoModule,
    ...(await fleetOf(readSettings(process.env))),
  ],
  providers: [
    { provide: APP_PIPE, useClass: ShallowInputPipe },
    { provide: APP_INTERCEPTOR, useClass: TimeoutInterceptor },
    {
      provide: APP_PIPE,
      useValue: new ValidationPipe({ whitelist: true, forbidNonWhitelisted: true, transform: true }),
    },
  ],
})
export class AppModule {}
