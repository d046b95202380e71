use agentcore_identity::{Error, WorkloadToken, requires_workload_token};

#[requires_workload_token(client = self.identity, provider = "github")]
async fn ask(prompt: &str, workload_token: WorkloadToken) -> Result<String, Error> {
    Ok(format!("{prompt} {}", workload_token.expose()))
}

async fn caller() -> Result<String, Error> {
    ask("hello").await
}

fn main() {
    let _ = caller();
}
