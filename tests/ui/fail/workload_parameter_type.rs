use agentcore_identity::{Error, requires_workload_token};

#[requires_workload_token]
async fn ask(prompt: &str, workload_token: u64) -> Result<String, Error> {
    Ok(format!("{prompt} {workload_token}"))
}

async fn caller() -> Result<String, Error> {
    ask("hello").await
}

fn main() {
    let _ = caller();
}
