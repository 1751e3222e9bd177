//! The tool `current_time`.

use super::{Context, Tool};
use async_trait::async_trait;
use models::ToolSpec;
use serde_json::{Value, json};

pub(super) struct CurrentTime;

#[async_trait]
impl Tool for CurrentTime {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "current_time".into(),
            description: "The current date and time, in UTC and in a time zone.".into(),
            parameters: json!({
                "type": "object",
                "properties": {
                    "time_zone": {
                        "type": "string",
                        "description": "An IANA name such as Europe/Lisbon. Left out: the person's own.",
                    },
                },
            }),
        }
    }

    async fn run(&self, context: &Context<'_>, arguments: &Value) -> Result<String, String> {
        let zone = arguments["time_zone"].as_str().unwrap_or_default();
        // Postgres has the time zones of the world and how they changed.
        let times = async {
            let mut tx = context.domain.inner.db.as_user(context.user_id).await?;
            let times: Option<(String, String, String)> = sqlx::query_as(
                "SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'),
                        to_char(now() AT TIME ZONE z.name, 'FMDay, YYYY-MM-DD HH24:MI:SS'), z.name
                 FROM users u, pg_timezone_names z
                 WHERE u.id = $1 AND z.name = coalesce(nullif($2, ''), nullif(u.time_zone, ''), 'UTC')",
            )
            .bind(context.user_id.0)
            .bind(zone.replace('\0', ""))
            .fetch_optional(&mut *tx)
            .await?;
            tx.commit().await?;
            Ok::<_, crate::Error>(times)
        };
        match times.await {
            Ok(Some((utc, local, zone))) => {
                Ok(json!({ "utc": utc, "local": local, "time_zone": zone }).to_string())
            }
            Ok(None) => Err(format!("‘{zone}’ is not an IANA time zone.")),
            Err(error) => Err(format!("The time could not be looked up: {error}")),
        }
    }
}
