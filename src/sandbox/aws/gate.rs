//! Connections that can be cut in the middle of an answer.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

/// A listener whose connections can be cut.
pub(crate) struct Gated(pub(crate) TcpListener);

impl Listener for Gated {
    type Io = Cuttable;
    type Addr = std::net::SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            match self.0.accept().await {
                Ok((stream, address)) => {
                    // Only speed is lost if it cannot be set.
                    _ = stream.set_nodelay(true);
                    return (Cuttable { stream, gate: Gate::open() }, address);
                }
                // Out of file descriptors: some come back as connections close.
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.0.local_addr()
    }
}

/// How much of the next answer's body may still leave; negative is all.
#[derive(Clone, Debug)]
pub(crate) struct Gate(Arc<AtomicI64>);

impl Gate {
    fn open() -> Self {
        Self(Arc::new(AtomicI64::new(-1)))
    }

    pub(crate) fn allow(&self, bytes: i64) {
        self.0.store(bytes, Ordering::SeqCst);
    }
}

impl Connected<IncomingStream<'_, Gated>> for Gate {
    fn connect_info(stream: IncomingStream<'_, Gated>) -> Self {
        stream.io().gate.clone()
    }
}

pub(crate) struct Cuttable {
    stream: TcpStream,
    gate: Gate,
}

const CUT: i64 = -2;

impl AsyncRead for Cuttable {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Cuttable {
    /// An answer's head and body are written at once, so the first write after `allow` holds the body's beginning.
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        let allowed = match self.gate.0.load(Ordering::SeqCst) {
            -1 => return Pin::new(&mut self.stream).poll_write(cx, buf),
            CUT | 0 => return Poll::Ready(Err(std::io::ErrorKind::ConnectionReset.into())),
            body => usize::try_from(body).unwrap_or(0),
        };
        let head = buf.windows(4).position(|four| four == b"\r\n\r\n").map_or(0, |at| at + 4);
        let end = (head + allowed).min(buf.len());
        let written = std::task::ready!(Pin::new(&mut self.stream).poll_write(cx, &buf[..end]));
        self.gate.allow(CUT);
        Poll::Ready(written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
