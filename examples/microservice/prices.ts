import { Controller, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { MessagePattern, Payload, Transport, type MicroserviceOptions } from '@nestjs/microservices';
import { currentCall, ResilienceModule, Timeout } from 'nestjs-bulwark';

@Controller()
class PricesController {
  // 1 s, or what the caller still waits for if that is less. Nobody works on for a caller that has given up.
  @MessagePattern('price')
  @Timeout(1_000)
  async price(@Payload() sku: string): Promise<{ sku: string; cents: number; timeLeft: number }> {
    return { sku, cents: 120, timeLeft: Math.round(currentCall()?.timeLeft() ?? Infinity) };
  }
}

@Module({
  // deadlines: what the message says of the caller's time limit counts here as well.
  imports: [ResilienceModule.forRoot({ callContext: true, deadlines: { accept: true }, exceptionFilter: true })],
  controllers: [PricesController],
})
class PricesModule {}

const app = await NestFactory.createMicroservice<MicroserviceOptions>(PricesModule, {
  transport: Transport.TCP,
  options: { port: Number(process.env['PRICES_PORT'] ?? 4001) },
});
await app.listen();
