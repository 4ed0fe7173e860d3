// emulate listens on every interface; what is preloaded here keeps it on this machine.
const { Server } = require("node:net");
const { listen } = Server.prototype;

Server.prototype.listen = function (...args) {
  const first = args[0];
  if (first !== null && typeof first === "object" && "port" in first) {
    args[0] = { ...first, host: "127.0.0.1" };
  } else if (typeof first === "number" || typeof first === "string") {
    const ready = args.filter((argument) => typeof argument === "function");
    args = [{ port: Number(first), host: "127.0.0.1" }, ...ready];
  }
  return listen.apply(this, args);
};
