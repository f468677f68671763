import { Controller, Get, Module, Param } from '@nestjs/common';
import { ResilienceModule } from 'nestjs-bulwark';
import { RatesService } from './rates.service';

@Controller('rates')
class RatesController {
  constructor(private readonly rates: RatesService) {}

  @Get(':currency')
  rate(@Param('currency') currency: string): Promise<number> {
    return this.rates.rate(currency);
  }
}

@Module({
  // resilientFetch asks which call it runs in.
  imports: [ResilienceModule.forRoot({ callContext: true })],
  controllers: [RatesController],
  providers: [RatesService],
})
export class AppModule {}
