import { Module } from '@nestjs/common';
import { UpstreamControlModule } from '../upstream-control/upstream-control.module.js';
import { PaymentProviderClient } from './payment-provider.client.js';
import { PaymentsService } from './payments.service.js';
import { ProviderHttp } from './provider-http.js';

@Module({
  imports: [UpstreamControlModule],
  providers: [ProviderHttp, PaymentProviderClient, PaymentsService],
  exports: [ProviderHttp, PaymentsService],
})
export class PaymentsModule {}
