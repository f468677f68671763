import { Controller, Get, Injectable, Module, Query } from '@nestjs/common';
import { RateLimit, ResilienceModule } from 'nestjs-bulwark';
import { ResilienceRedisModule } from 'nestjs-bulwark/redis';

@Injectable()
class GeoService {
  // The provider of the maps allows the whole company twenty calls a minute, however many processes make them.
  @RateLimit({ limit: 20, per: 60_000, burst: 20, scope: 'cluster' })
  async locate(address: string): Promise<string> {
    return `${address}: 48.2 N, 16.4 E`;
  }
}

@Controller('locate')
class GeoController {
  constructor(private readonly geo: GeoService) {}

  @Get()
  locate(@Query('address') address: string): Promise<string> {
    return this.geo.locate(address);
  }
}

@Module({
  imports: [
    // A refusal is a 429 with Retry-After.
    ResilienceModule.forRoot({ exceptionFilter: true }),
    ResilienceRedisModule.forRoot({
      url: process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379',
      prefix: 'example',
      // While Redis is away each of the processes lets its part through. Two, as long as Redis has not said how many.
      onStoreError: 'local',
      expectedProcesses: 2,
    }),
  ],
  controllers: [GeoController],
  providers: [GeoService],
})
export class AppModule {}
